import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Marker } from '../state/usage.js';
import { compact } from '../state/usage.js';

interface Props {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** When each bucket begins, in milliseconds since 1970. */
  readonly starts: readonly number[];
  readonly bucketMs: number;
  /** From the bottom of each bar to its top. */
  readonly series: readonly { readonly hue: string; readonly counts: readonly number[] }[];
  readonly markers: readonly Marker[];
  /** The bucket that is pointed at, by its place. */
  readonly onPoint: (bucket: number | undefined) => void;
}

const HEIGHT = 260;
/** Whole numbers only: nobody evaluates half a time. */
const STEPS = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 12 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);

/** Counts over time as bars, one piece for each series, with a line for each change. Drawn on a canvas; what it says stands beside it as text. */
export function UsageChart({ label, starts, bucketMs, series, markers, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ markers, onPoint });
  latest.current = { markers, onPoint };
  const theme = useTheme();
  const hues = series.map(({ hue }) => hue).join();
  const data = stacked(starts, series);
  const shown = useRef(data);
  shown.current = data;

  useEffect(() => {
    const { current: element } = box;
    if (!element) return undefined;
    const colours = coloursOf(element);
    const made = new uPlot(
      {
        width: Math.max(1, element.clientWidth),
        height: HEIGHT,
        padding: [22, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { range: (_, from, to) => [from, to + bucketMs / 1000] },
          y: { range: (_, _from, to) => [0, Math.max(4, to * 1.05)] },
        },
        axes: [
          {
            stroke: colours.text,
            font: colours.font,
            grid: { show: false },
            ticks: { stroke: colours.line, width: 1, size: 6 },
            size: 32,
            space: 64,
            values: (_, times) => times.map(clock),
          },
          {
            stroke: colours.text,
            font: colours.font,
            size: 52,
            incrs: STEPS,
            grid: { stroke: colours.line, width: 1 },
            ticks: { show: false },
            values: (_, counts) => counts.map(compact),
          },
        ],
        // The highest first, so that each covers what is below it of the one before.
        series: [
          {},
          ...colours.series.toReversed().map((fill) => ({
            fill,
            stroke: colours.surface,
            width: 1,
            points: { show: false },
            paths: uPlot.paths.bars?.({ size: [0.86, 48], align: 1 }) ?? null,
          })),
        ] as uPlot.Series[],
        hooks: {
          draw: [(u) => drawMarkers(u, latest.current.markers, colours)],
          setCursor: [(u) => latest.current.onPoint(u.cursor.idx ?? undefined)],
        },
      },
      shown.current,
      element,
    );
    plot.current = made;
    const resizing = new ResizeObserver(() =>
      made.setSize({ width: Math.max(1, element.clientWidth), height: HEIGHT }),
    );
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [hues, bucketMs, theme]);

  useEffect(() => plot.current?.setData(shown.current), [JSON.stringify([data, markers])]);

  return (
    <div class="usage-chart" role="img" aria-label={label} ref={box}>
      {series.map(({ hue }) => (
        <span key={hue} class={`dot ${hue}`} hidden />
      ))}
    </div>
  );
}

/** Seconds, then each series on top of those before it, the highest first; nothing where a series has nothing. */
function stacked(starts: readonly number[], series: Props['series']): uPlot.AlignedData {
  const sums = starts.map(() => 0);
  const tops = series.map(({ counts }) =>
    counts.map((count, index) => {
      sums[index] = (sums[index] ?? 0) + count;
      return count > 0 ? (sums[index] ?? 0) : null;
    }),
  );
  return [starts.map((at) => at / 1000), ...tops.reverse()];
}

interface Colours {
  readonly text: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly font: string;
  readonly series: readonly string[];
}

/** A canvas knows no variables: what they are now. */
function coloursOf(element: HTMLElement): Colours {
  const own = getComputedStyle(element);
  return {
    text: own.color,
    line: own.borderTopColor,
    surface: own.backgroundColor,
    accent: own.outlineColor,
    font: `12px ${own.fontFamily}`,
    series: [...element.querySelectorAll('.dot')].map((dot) => getComputedStyle(dot).backgroundColor),
  };
}

/** A line down the chart and what was changed above it, where there is room for the words. */
function drawMarkers(u: uPlot, markers: readonly Marker[], colours: Colours): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const { min = 0, max = 0 } = u.scales['x'] ?? {};
  ctx.save();
  ctx.font = `${12 * ratio}px ${colours.font.slice(5)}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.strokeStyle = colours.accent;
  ctx.fillStyle = colours.accent;
  ctx.lineWidth = Math.max(1, ratio);
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  let freeFrom = 0;
  markers.forEach(({ at, words }, index) => {
    const seconds = at / 1000;
    if (seconds < min || seconds > max) return;
    const x = Math.round(u.valToPos(seconds, 'x', true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 4 * ratio);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const next = markers[index + 1];
    const end = next ? u.valToPos(next.at / 1000, 'x', true) : Number.POSITIVE_INFINITY;
    const right = bbox.left + bbox.width;
    for (const text of [`${index + 1}: ${words}`, String(index + 1)]) {
      const { width } = ctx.measureText(text);
      const isLeft = x + width > right;
      const from = isLeft ? x - width : x;
      if (from < freeFrom || (!isLeft && from + width + 6 * ratio > end)) continue;
      ctx.fillText(text, from, bbox.top - 6 * ratio);
      freeFrom = from + width + 6 * ratio;
      break;
    }
  });
  ctx.restore();
}

const CLOCK = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clock = (seconds: number): string => CLOCK.format(seconds * 1000);

/** Something else whenever colours are. */
function useTheme(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const change = (): void => setTurn((before) => before + 1);
    const observer = new MutationObserver(change);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', change);
    return () => {
      observer.disconnect();
      system.removeEventListener('change', change);
    };
  }, []);
  return turn;
}
