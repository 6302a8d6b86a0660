/** One name of `tree`, with what is asked of its value and which of its items. */
interface Wanted {
  readonly children: ReadonlyMap<string, Wanted> | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * The part of an answer that Jenkins' `tree` parameter asks for: `jobs[name,builds[number]{0,5}]`; `*` stands for every
 * name (org.kohsuke.stapler.export.NamedPathPruner).
 */
export function filterByTree(value: unknown, tree: string): unknown {
  const parser = new TreeParser(tree);
  return prune(value, parser.names());
}

function prune(value: unknown, wanted: ReadonlyMap<string, Wanted>): unknown {
  if (Array.isArray(value)) return value.map((item) => prune(item, wanted));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
      if (name === '_class') return [[name, inner]];
      const found = wanted.get(name) ?? wanted.get('*');
      if (!found) return [];
      const items = Array.isArray(inner) ? inner.slice(found.from, found.to) : inner;
      return [[name, found.children ? prune(items, found.children) : items]];
    }),
  );
}

class TreeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/\s+/g, '');
  }

  names(): ReadonlyMap<string, Wanted> {
    const found = new Map<string, Wanted>();
    for (;;) {
      const name = this.#take(/^[\w*-]+/) ?? '';
      if (name === '') break;
      let children: ReadonlyMap<string, Wanted> | undefined;
      if (this.#take(/^\[/)) {
        children = this.names();
        this.#take(/^\]/);
      }
      const range = /^\{(\d*)(,?)(\d*)\}/.exec(this.#take(/^\{\d*,?\d*\}/) ?? '');
      const from = Number(range?.[1] || 0);
      const single = range !== null && range?.[2] === '';
      const to = single ? from + 1 : range?.[3] ? Number(range[3]) : Number.MAX_SAFE_INTEGER;
      found.set(name, { children, from, to });
      if (!this.#take(/^,/)) break;
    }
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.#text.slice(this.#at))?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}
