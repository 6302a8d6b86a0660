import { it } from 'vitest';
import { browserPerTest, slowTrace } from '../browser-page.ts';
import { expectNoBarrier, type State } from './no-barrier.ts';

const browser = browserPerTest();

const CLUSTER: readonly State[] = [
  {
    name: 'the mesh',
    path: () => '/kiali?node=service:default/business-logic',
    act: (page) => page.locator('[data-mesh-node]').first().waitFor(),
  },
  { name: 'Istio objects', path: () => '/kiali/config' },
  { name: 'an Istio object', path: () => '/kiali/config?object=virtualservices:default/reviews-typo' },
  { name: 'a wizard', path: () => '/kiali/config?wizard=weights&host=default/business-logic' },
  { name: 'pods', path: () => '/cluster' },
  { name: 'a pod', path: () => '/cluster?kind=pods&object=default/business-logic-7b5c6d4f98-9xvmp' },
  { name: 'a roll-out', path: () => '/cluster?kind=deployments&object=default/front-end&view=rollout' },
  { name: 'events', path: () => '/cluster?kind=events' },
  { name: 'no such page', path: () => '/nowhere' },
  {
    name: 'the search',
    path: () => '/',
    act: async (page) => {
      await page.keyboard.press('/');
      await page.getByRole('combobox', { name: 'Search' }).waitFor();
    },
  },
  { name: 'home on a phone', path: () => '/', isPhone: true },
  { name: 'a trace on a phone', path: () => `/jaeger/trace/${slowTrace()}`, isPhone: true },
  {
    name: 'the mesh on a phone',
    path: () => '/kiali?node=service:default/business-logic',
    act: (page) => page.getByRole('complementary', { name: 'Details' }).waitFor(),
    isPhone: true,
  },
  { name: 'the cluster on a phone', path: () => '/cluster', isPhone: true },
  {
    name: 'the keys',
    path: () => '/',
    act: async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Zoom out in time').waitFor();
    },
  },
];

it.each(CLUSTER)('has no barrier on $name, light and dark', (state) => expectNoBarrier(browser, state));
