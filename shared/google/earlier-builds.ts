/** The `EarlierBuilds` port over Cloud Build's records, for callers that keep none of their own. */
import type { Builds, EarlierBuilds } from '../ports.ts';

export function createEarlierBuilds(builds: Pick<Builds, 'findByTag'>): EarlierBuilds {
  return {
    find: async ({ project, region, contentTag, image }) => {
      const found = await builds.findByTag({ project, region, tag: contentTag });
      const earlier = found.flatMap(({ status, name, images }) => {
        const digest = images.find((one) => one.name === image)?.digest;
        return status === 'success' && digest !== undefined ? [{ build: name, digest }] : [];
      });
      return earlier[0];
    },
  };
}
