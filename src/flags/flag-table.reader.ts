import { Injectable } from '@nestjs/common';
import { AuditService, type LastChange } from '../audit/audit.service.js';
import { FlagTableRepository, type FlagTableFilter, type FlagTableRow } from './flag-table.repository.js';

/** A row of the table, with who changed the flag last. */
export interface ReportedFlagTableRow extends FlagTableRow {
  readonly lastChange: LastChange | undefined;
}

/** Answers the table of flags and environments: a page of flags, each with all that can be said of it in one line. */
@Injectable()
export class FlagTableReader {
  constructor(
    private readonly table: FlagTableRepository,
    private readonly audit: AuditService,
  ) {}

  async page(filter: FlagTableFilter): Promise<{ rows: ReportedFlagTableRow[]; total: number }> {
    const { rows, total } = await this.table.page(filter);
    const keys = rows.flatMap(({ environments: [first] }) => (first ? first.key : []));
    const changes = await this.audit.lastChanges('flag', keys);
    return {
      rows: rows.map((row) => ({ ...row, lastChange: changes.get(row.environments[0]?.key ?? '') })),
      total,
    };
  }
}
