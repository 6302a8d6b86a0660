/** What the rules of a CRD may cost at worst (`StaticEstimatedCostLimit`, `TotalCost`). */
import { LARGEST } from '../cel/estimates.ts';
import { type FieldError, forbiddenValue } from '../errors/field-error.ts';

const LIMIT = 10_000_000;
const TOTAL_LIMIT = 100_000_000;
const MOST_SHOWN = 4;

export class RuleCosts {
  #total = 0;
  #expensive: { readonly field: string; readonly cost: number }[] = [];

  /** Counts one, and says where it is too much by itself. */
  observe(field: string, what: 'rule' | 'messageExpression', exact: number): FieldError[] {
    const cost = Math.min(exact, LARGEST);
    this.#total = Math.min(this.#total + cost, LARGEST);
    if (cost >= TOTAL_LIMIT / 100) {
      this.#expensive.push({ field, cost });
      this.#expensive.sort((left, right) => right.cost - left.cost);
      this.#expensive = this.#expensive.slice(0, MOST_SHOWN);
    }
    return cost > LIMIT ? [forbiddenValue(field, overBudget(`estimated ${what} cost`, cost, LIMIT))] : [];
  }

  /** Where all together are too much. */
  problems(field: string): FieldError[] {
    if (this.#total <= TOTAL_LIMIT) return [];
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    return [
      ...this.#expensive.map((one) =>
        forbiddenValue(
          one.field,
          'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        ),
      ),
      forbiddenValue(field, overBudget(what, this.#total, TOTAL_LIMIT)),
    ];
  }
}

/** `getCostErrorMessage` */
function overBudget(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
