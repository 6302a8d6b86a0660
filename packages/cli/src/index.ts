export { main, report } from './main.ts';
