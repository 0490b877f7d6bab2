import { isIPv6 } from 'node:net';

/** An IPv4 address, or the /64 that an IPv6 customer has to itself. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  return groups
    .slice(0, 4)
    .map((group) => group.toString(16).padStart(4, '0'))
    .join(':');
}

/** The eight numbers of an IPv6 address, in any of the ways to write it. */
function groupsOf(address: string): number[] {
  const [bare = ''] = address.split('%');
  const [front = [], back = []] = bare.split('::').map((part) => part.split(':').flatMap(numbersOf));
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

/** `20` → one number; `192.0.2.1`, which may end an address, → two; nothing → none. */
function numbersOf(group: string): number[] {
  if (group === '') return [];
  if (!group.includes('.')) return [Number.parseInt(group, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
