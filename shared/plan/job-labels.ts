/** What a job says of itself in labels, and a build in tags, so that it can be told whose it is without any record. */
export const repositoryLabel = 'trainyard-repository';
export const shaLabel = 'trainyard-sha';
export const tierLabel = 'trainyard-tier';
/** The pull request's number. */
export const pullLabel = 'trainyard-pr';
