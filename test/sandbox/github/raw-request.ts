/** One HTTP request as no library would send it: any path, any headers, a body that stops half-way. */
import { request, type IncomingHttpHeaders } from 'node:http';

export interface RawRequest {
  readonly method?: string;
  /** Sent as it is, without being resolved. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Ends the connection after what there is of the body. */
  readonly hangUp?: boolean;
}
export interface RawAnswer {
  /** 0 when the client hung up first. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function requestRaw(web: string, raw: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(web);
  const { method = 'GET', path, headers, body, hangUp = false } = raw;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method, path, headers: { host, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on('error', (error) => {
      if (hangUp) resolve({ status: 0, headers: {}, body: Buffer.alloc(0) });
      else reject(error);
    });
    if (hangUp) outgoing.write(body ?? '', () => outgoing.destroy());
    else outgoing.end(body);
  });
}
