/**
 * How long a connection that is not used stays open, in milliseconds. Node's own five seconds end just as a busy
 * client sends its next request, which is then reset; Google's front ends wait for longer than anybody pauses.
 * @see https://docs.cloud.google.com/load-balancing/docs/https/request-distribution (HTTP keepalive timeout, 610 s)
 */
export const keepAliveTimeout = 610_000;
