import type { ComponentChildren } from 'preact';

/**
 * A list, one row to a thing, with what can be done to it at the end of the row.
 * @param columns what stands above each column, but for that of the actions; those in `numbers` are aligned as numbers
 */
export function ListTable({
  caption,
  columns,
  numbers = [],
  children,
}: {
  caption: string;
  columns: readonly string[];
  numbers?: readonly string[];
  children: ComponentChildren;
}) {
  return (
    <div class="table">
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col" class={numbers.includes(name) ? 'number' : undefined}>
                {name}
              </th>
            ))}
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
