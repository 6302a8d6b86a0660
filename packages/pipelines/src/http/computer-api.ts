import type { AgentState } from '../controller/agent-pool.ts';
import type { Pipelines } from '../controller/pipelines.ts';
import { type Call, isPost, methodNotAllowed, notFound, readForm, sendView } from './call.ts';

/** What is below `/computer`: the agents. They come and go with their pods, so that none is made or removed here. */
export async function answerComputer(call: Call, rest: string): Promise<void> {
  const { pipelines, base, response } = call;
  if (rest === 'api/json') return sendView(call, computersView(pipelines));
  const [, name = '', action = ''] = /^([^/]+)\/(.+)$/.exec(rest) ?? [];
  const agent = pipelines.agents.agents.find((one) => one.name === decodeURIComponent(name));
  if (!agent) return notFound(call);
  if (action === 'api/json') return sendView(call, computerView(agent));
  if (action !== 'toggleOffline' && action !== 'changeOfflineCause') return notFound(call);
  if (!isPost(call)) return methodNotAllowed(response);
  const { offlineMessage = '' } = await readForm(call);
  const isOffline = agent.offlineCause !== undefined;
  pipelines.agents.setOffline(agent.name, action === 'changeOfflineCause' || !isOffline ? offlineMessage : undefined);
  response.writeHead(302, { location: `${base}/computer/${encodeURIComponent(agent.name)}/` }).end();
}

/** `/label/NAME/api/json` */
export function labelView(pipelines: Pipelines, label: string): unknown {
  const agents = pipelines.agents.agents.filter(({ name, labels }) => name === label || labels.includes(label));
  return {
    _class: 'hudson.model.labels.LabelAtom',
    name: label,
    nodes: agents.map(({ name }) => ({ _class: 'hudson.slaves.DumbSlave', nodeName: name })),
    offline: agents.every((agent) => !agent.isOnline),
    busyExecutors: agents.reduce((sum, agent) => sum + agent.busy, 0),
    totalExecutors: agents.reduce((sum, agent) => sum + agent.executors, 0),
  };
}

function computersView(pipelines: Pipelines): unknown {
  const { agents } = pipelines.agents;
  return {
    _class: 'hudson.model.ComputerSet',
    displayName: 'Nodes',
    busyExecutors: agents.reduce((sum, agent) => sum + agent.busy, 0),
    totalExecutors: agents.reduce((sum, agent) => sum + agent.executors, 0),
    computer: agents.map(computerView),
  };
}

function computerView(agent: AgentState): unknown {
  return {
    _class: 'hudson.slaves.SlaveComputer',
    displayName: agent.name,
    assignedLabels: [agent.name, ...agent.labels].map((name) => ({ name })),
    idle: agent.busy === 0,
    offline: !agent.isOnline || agent.offlineCause !== undefined,
    temporarilyOffline: agent.offlineCause !== undefined,
    offlineCauseReason: agent.offlineCause ?? '',
    numExecutors: agent.executors,
    jnlpAgent: true,
  };
}
