/**
 * The App's registration as GitHub's manifest flow takes it: app.yml and where this installation is in, the
 * manifest out. Pure.
 * @see https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
import { parse } from 'yaml';

interface Addresses {
  /** Where GitHub sends deliveries: `https://HOST/webhooks/github`. */
  readonly webhookUrl: string;
  /** Where the browser comes back to with the code. */
  readonly redirectUrl: string;
}

/** @param appYml the text of app/app.yml */
export function manifestOf(appYml: string, { webhookUrl, redirectUrl }: Addresses) {
  const registration = parse(appYml) as Readonly<Record<string, unknown>>;
  return {
    ...registration,
    hook_attributes: { url: webhookUrl, active: true },
    redirect_url: redirectUrl,
  };
}
