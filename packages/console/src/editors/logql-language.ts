import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { LanguageSupport, LRLanguage } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { parser } from '@grafana/lezer-logql';
import { styleTags, tags } from '@lezer/highlight';
import { completionPlace, LOGQL_FUNCTIONS, LOGQL_STAGES } from './logql-completion.ts';

interface Source {
  labels: () => Promise<string[]>;
  values: (label: string) => Promise<string[]>;
}

const language = LRLanguage.define({
  parser: parser.configure({
    props: [
      styleTags({
        'Json Logfmt Unpack Pattern Regexp Unwrap LabelFormat LineFormat LabelReplace Vector Offset Bool On Ignoring GroupLeft GroupRight Decolorize Drop Keep By Without And Or Unless':
          tags.keyword,
        'Sum Avg Count Max Min Stddev Stdvar Bottomk Topk Sort Sort_Desc': tags.keyword,
        'CountOverTime Rate RateCounter BytesOverTime BytesRate AvgOverTime SumOverTime MinOverTime MaxOverTime StddevOverTime StdvarOverTime QuantileOverTime FirstOverTime LastOverTime AbsentOverTime':
          tags.function(tags.variableName),
        String: tags.string,
        'Number Duration': tags.number,
        Identifier: tags.labelName,
        LineComment: tags.lineComment,
        'PipeExact PipeMatch Npa Nre Neq Eq Re': tags.operator,
      }),
    ],
  }),
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', '`'] }, commentTokens: { line: '#' } },
});

/** LogQL with completion of labels and values from the running Loki. */
export function createLogqlLanguage(source: Source): Extension {
  const complete = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const place = completionPlace(context.state.sliceDoc(0, context.pos));
    if (place === undefined || (!context.explicit && place.text === '' && place.kind === 'function')) return null;
    const from = context.pos - place.text.length;
    switch (place.kind) {
      case 'label':
        return {
          from,
          options: (await source.labels().catch(() => [])).map((label) => ({
            label,
            type: 'property',
            apply: `${label}="`,
          })),
        };
      case 'value':
        return {
          from,
          options: (await source.values(place.label).catch(() => [])).map((label) => ({ label, type: 'text' })),
        };
      case 'stage':
        return { from, options: LOGQL_STAGES.map(([label, info]) => ({ label, info, type: 'keyword' })) };
      case 'function':
        return { from, options: LOGQL_FUNCTIONS.map(([label, info]) => ({ label, info, type: 'function' })) };
    }
  };
  return [new LanguageSupport(language), language.data.of({ autocomplete: complete })];
}
