import { z } from 'zod';

/** Channels of `v5.channel.k8s.io` (kubernetes: staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go). */
export const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

/** A frame: one byte for the channel, then the bytes. */
export function frameOf(channel: number, text: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(text);
  const frame = new Uint8Array(body.length + 1);
  frame[0] = channel;
  frame.set(body, 1);
  return frame;
}

const status = z.object({
  status: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({ causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).nullish() })
    .nullish(),
});

/** What the last frame of a session says, in a sentence. */
export function exitText(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return json;
  }
  const parsed = status.safeParse(value);
  if (!parsed.success) return json;
  if (parsed.data.status === 'Success') return 'The command ended well.';
  const code = parsed.data.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  return code === undefined
    ? (parsed.data.message ?? 'The command failed.')
    : `The command ended with exit code ${code}.`;
}
