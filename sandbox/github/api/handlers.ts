/** Every served operation with the function that answers it; the compiler says when one is missing. */
import type { Handler } from './call.ts';
import type { OperationId } from './operations.ts';
import { administration } from './routes/administration.ts';
import { apps } from './routes/apps.ts';
import { checks } from './routes/checks.ts';
import { comments } from './routes/comments.ts';
import { contentsOf } from './routes/contents.ts';
import { pulls } from './routes/pulls.ts';
import { repositories } from './routes/repositories.ts';
import { statuses } from './routes/statuses.ts';

export const handlers: Readonly<Record<OperationId, Handler>> = {
  ...administration,
  ...apps,
  ...checks,
  ...comments,
  ...contentsOf,
  ...pulls,
  ...repositories,
  ...statuses,
};
