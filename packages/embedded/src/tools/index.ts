export { fetchTools } from './fetch-tools.ts';
export { type FindToolOptions, findTool } from './find-tool.ts';
export { OLDEST_TOOLS, PINNED_PLATFORM, PINNED_TOOLS, type PinnedTools, TESTED_TOOLS } from './pinned-tools.ts';
