/** A way to a local service on which the answer to one request gets lost: the service has done what it was asked. */
import { loss, startInterceptingProxy, type InterceptingProxy } from './intercepting-proxy.ts';

export interface LossyProxy extends Pick<InterceptingProxy, 'endpoint' | 'close'> {
  /** How often the request came whose answer is lost the first time. */
  readonly attempts: () => number;
}

/** @param loses tells the request whose first answer is lost */
export async function startLossyProxy(
  target: string,
  loses: (method: string, path: string) => boolean,
): Promise<LossyProxy> {
  let attempts = 0;
  const { endpoint, close } = await startInterceptingProxy(target, (method, path) =>
    loses(method, path) && ++attempts === 1 ? loss : undefined,
  );
  return { endpoint, close, attempts: () => attempts };
}
