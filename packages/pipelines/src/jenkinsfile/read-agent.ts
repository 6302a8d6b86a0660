import type { Agent } from './ast.ts';
import { instead } from './nearest.ts';
import type { RawCall } from './raw-tree.ts';
import { describeKind, type Reader } from './reader.ts';
import type { Text } from './text.ts';

const AGENTS = ['any', 'none', 'label', 'node'];
const REFUSED_AGENTS = ['docker', 'dockerfile', 'kubernetes', 'ecs', 'nomad'];

/** `agent any`, `agent none`, `agent { label '…' }`, `agent { node { label '…'; customWorkspace '…' } }`. */
export function readAgent(call: RawCall, reader: Reader): Agent {
  if (call.block) return readAgentBlock(call, call.block.statements.length, reader);
  const [first] = call.args;
  if (first?.value.kind === 'path' && (first.value.path === 'any' || first.value.path === 'none'))
    return { kind: first.value.path };
  const got = first === undefined ? 'nothing' : describeKind(first.value);
  const label = first?.value.kind === 'text' ? ` or agent { label '…' }` : '';
  reader.problems.add(
    first ?? call,
    `agent cannot be ${got}`,
    `write agent any, agent none${label || " or agent { label '…' }"}`,
  );
  return { kind: 'any' };
}

function readAgentBlock(call: RawCall, count: number, reader: Reader): Agent {
  const inner = call.block ? reader.calls(call.block, 'agent') : [];
  if (count === 0) reader.problems.add(call.block ?? call, 'agent holds nothing', 'write agent any');
  const known = inner.filter((one) => one.name === 'label' || one.name === 'node');
  const [first, second] = known;
  if (second)
    reader.problems.add(
      second,
      'only one type of agent may stand in agent { … }',
      `keep ${first?.name}, or ${second.name}`,
    );
  for (const one of inner) {
    if (known.includes(one)) continue;
    if (one.name === 'any' || one.name === 'none')
      reader.problems.add(one, `agent { ${one.name} } is not an agent`, `write agent ${one.name}`);
    else if (REFUSED_AGENTS.includes(one.name))
      reader.problems.add(one, `an agent by ${one.name} is not made here`, 'write agent any or agent { label "…" }');
    else if (one.name === 'customWorkspace')
      reader.problems.add(
        one,
        'customWorkspace belongs to a node',
        "write agent { node { label '…'; customWorkspace '…' } }",
      );
    else reader.problems.add(one, `unknown agent "${one.name}"`, instead(one.name, AGENTS));
  }
  if (first?.name === 'node') return readNode(first, reader);
  return { kind: 'label', label: first ? readSetting(first, reader) : [''], customWorkspace: undefined };
}

function readSetting(call: RawCall, reader: Reader): Text {
  reader.noBlock(call);
  const value = reader.args(call, [call.name], [call.name], call.name).get(call.name);
  return value === undefined ? [''] : reader.text(value, call.name);
}

function readNode(call: RawCall, reader: Reader): Agent {
  const block = reader.block(call, "node { label '…' }");
  if (!block) return { kind: 'any' };
  const sections = reader.sections(block, 'node', ['label', 'customWorkspace']);
  const label = sections.get('label');
  const workspace = sections.get('customWorkspace');
  if (!label) reader.problems.add(call, 'node has no label', "write node { label '…' }");
  return {
    kind: 'label',
    label: label ? readSetting(label, reader) : [''],
    customWorkspace: workspace && readSetting(workspace, reader),
  };
}
