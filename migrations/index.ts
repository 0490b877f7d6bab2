import { CreateAudit1795219200001 } from './1795219200001-create-audit.js';
import { CreateUsers1795219200002 } from './1795219200002-create-users.js';
import { CreateEnvironments1795219200003 } from './1795219200003-create-environments.js';
import { CreateFlags1795219200004 } from './1795219200004-create-flags.js';
import { CreateSegments1795219200005 } from './1795219200005-create-segments.js';
import { CreateApiKeys1795219200006 } from './1795219200006-create-api-keys.js';
import { AddFlagsClientVisible1795219200007 } from './1795219200007-add-flags-client-visible.js';
import { AddEnvironmentsConfirmChanges1795219200010 } from './1795219200010-add-environments-confirm-changes.js';
import { CreateUsageCounts1795219200011 } from './1795219200011-create-usage-counts.js';
import { IndexAuditRequests1795219200012 } from './1795219200012-index-audit-requests.js';
import { CreateInvites1795219200013 } from './1795219200013-create-invites.js';
import { MarkChangedRows1795219200016 } from './1795219200016-mark-changed-rows.js';
import { AddEnvironmentsRequireReason1795219200017 } from './1795219200017-add-environments-require-reason.js';

/** Every step from an empty database to this version, oldest first. Add at the end; never edit one that was merged. */
export const MIGRATIONS = [
  CreateAudit1795219200001,
  CreateUsers1795219200002,
  CreateEnvironments1795219200003,
  CreateFlags1795219200004,
  CreateSegments1795219200005,
  CreateApiKeys1795219200006,
  AddFlagsClientVisible1795219200007,
  AddEnvironmentsConfirmChanges1795219200010,
  CreateUsageCounts1795219200011,
  IndexAuditRequests1795219200012,
  CreateInvites1795219200013,
  MarkChangedRows1795219200016,
  AddEnvironmentsRequireReason1795219200017,
];
