import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * In development the console talks to a running lab (`KIND_E2E_GATEWAY`, default the gateway on 8080), or to the
 * fixture server when `KIND_E2E_FIXTURES` is set.
 */
const target = process.env.KIND_E2E_GATEWAY ?? 'http://localhost:8080';
const proxied = ['/api/kubernetes', '/prometheus/api', '/loki/api', '/jaeger/api', '/jenkins/job', '/jenkins/api'];

function fixtures(): Plugin {
  return {
    name: 'kind-e2e-fixtures',
    async configureServer(server) {
      if (process.env.KIND_E2E_FIXTURES === undefined) return;
      const { createFixtureApi } = await import('./test/fixture-api.ts');
      const api = createFixtureApi();
      server.middlewares.use((request, response, next) => api.handle(request, response, next));
      if (server.httpServer) api.upgrade(server.httpServer);
    },
  };
}

/** A `.gz` beside each asset, for servers that send what is compressed already. */
function compressed(): Plugin {
  return {
    name: 'kind-e2e-compressed',
    apply: 'build',
    writeBundle(options, bundle) {
      for (const [name, item] of Object.entries(bundle)) {
        const source = item.type === 'chunk' ? item.code : item.source;
        if (options.dir && /\.(js|css)$/.test(name))
          writeFileSync(join(options.dir, `${name}.gz`), gzipSync(source, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/console-assets/',
  plugins: [react(), fixtures(), compressed()],
  server: {
    port: 5173,
    proxy: Object.fromEntries(proxied.map((path) => [path, { target, changeOrigin: false, ws: true }])),
  },
  build: {
    // The first browsers with light-dark(), which the style sheets use as it is.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    // Hashed names directly below the base path: the server may cache them for ever, and index.html never.
    assetsDir: '.',
    emptyOutDir: true,
    sourcemap: false,
    chunkSizeWarningLimit: 1700,
  },
});
