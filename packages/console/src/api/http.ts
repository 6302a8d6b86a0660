import { z } from 'zod';

/** What went wrong with a request, in words for the page: which address, which status, what to do next. */
export class ApiError extends Error {
  readonly status: number;
  readonly url: string;
  readonly hint: string | undefined;

  constructor(message: string, options: { status: number; url: string; hint?: string | undefined; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'ApiError';
    this.status = options.status;
    this.url = options.url;
    this.hint = options.hint;
  }
}

export type QueryParams = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export function withParams(path: string, params: QueryParams = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const item of value) search.append(key, String(item));
    else search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

export interface RequestOptions {
  params?: QueryParams;
  signal?: AbortSignal | undefined;
  method?: string;
  body?: string;
  contentType?: string;
  accept?: string;
}

/** Sends a request to our own origin; refuses everything but a 2xx with an `ApiError`. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const url = withParams(path, options.params);
  const method = options.method ?? 'GET';
  const headers: Record<string, string> = { accept: options.accept ?? 'application/json' };
  if (method !== 'GET') headers['x-requested-with'] = 'kind-e2e-console';
  if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError('The server does not answer.', {
      status: 0,
      url,
      hint: 'Is the lab running? `npx kind-e2e status` says so; `npm run up` starts it.',
      cause,
    });
  }
  if (!response.ok) throw await refusal(response, url);
  return response;
}

async function refusal(response: Response, url: string): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  const hint =
    response.status === 503 || response.status === 502 || response.status === 504
      ? 'The backend is not ready. It comes back by itself; `kubectl get pods -A` shows its state.'
      : response.status === 401 || response.status === 403
        ? "The console's service account may not do this."
        : undefined;
  return new ApiError(messageIn(text) ?? `HTTP ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    url,
    hint,
  });
}

const errorShapes = z.union([
  z.object({ error: z.string() }).transform((body) => body.error),
  z.object({ message: z.string() }).transform((body) => body.message),
  z.object({ errors: z.array(z.object({ msg: z.string() })).min(1) }).transform((body) => body.errors[0]?.msg),
]);

/** The sentence in an error body of Prometheus, Kubernetes (Status) or Jaeger, or short plain text. */
function messageIn(text: string): string | undefined {
  try {
    const parsed = errorShapes.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON: fall through to the text itself.
  }
  const trimmed = text.trim();
  return trimmed !== '' && trimmed.length < 500 && !trimmed.startsWith('<') ? trimmed : undefined;
}

/** Reads JSON and checks its shape; what does not fit the schema is an error that names the field. */
export async function getJson<T>(path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const response = await request(path, options);
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new ApiError('The answer is not JSON.', {
      status: response.status,
      url: response.url,
      hint: 'Something else than the expected backend answers on this path.',
      cause,
    });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiError(`The answer has an unexpected shape: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
    status: response.status,
    url: response.url,
    cause: parsed.error,
  });
}

export const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;
