/** The reliability diagram: how often predictions of each size came true. */
import type { Reliability } from "./fit-calibration.ts";
import { escapeXml } from "./plot.ts";

const SIZE = 400;
const MARGIN = { left: 56, right: 24, top: 28, bottom: 48 } as const;
/** Radius of the largest point; areas are proportional to samples. */
const LARGEST = 14;

/** An SVG: predicted chance from left to right, share that was right upwards, the diagonal is perfect. */
export function plotReliability(reliability: Reliability, title: string): string {
  const x = (value: number): string => (MARGIN.left + (SIZE - MARGIN.left - MARGIN.right) * value).toFixed(1);
  const y = (value: number): string =>
    (SIZE - MARGIN.bottom - (SIZE - MARGIN.top - MARGIN.bottom) * value).toFixed(1);
  const most = Math.max(1, ...reliability.bins.map((bin) => bin.samples));
  const filled = reliability.bins.flatMap(({ predicted, right, samples }) =>
    predicted === null || right === null ? [] : [{ predicted, right, samples }],
  );
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    .map(
      (value) =>
        `<text x="${x(value)}" y="${Number(y(0)) + 16}" text-anchor="middle">${value}</text>` +
        `<text x="${MARGIN.left - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value}</text>`,
    )
    .join("");
  const points = filled
    .map(({ predicted, right, samples }) => {
      const radius = Math.max(2, LARGEST * Math.sqrt(samples / most)).toFixed(1);
      return `<circle cx="${x(predicted)}" cy="${y(right)}" r="${radius}" fill="#2a6fdb" opacity="0.6"><title>${samples} samples</title></circle>`;
    })
    .join("");
  const figures = `${reliability.samples} samples, expected calibration error ${reliability.expected_calibration_error.toFixed(3)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" font-family="sans-serif" font-size="12"><title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="#fff"/><text x="${MARGIN.left}" y="18" font-weight="bold">${escapeXml(title)}</text>
<polyline points="${x(0)},${y(1)} ${x(0)},${y(0)} ${x(1)},${y(0)}" fill="none" stroke="#888"/>${ticks}
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#888" stroke-dasharray="4 4"/>
<polyline points="${filled.map(({ predicted, right }) => `${x(predicted)},${y(right)}`).join(" ")}" fill="none" stroke="#2a6fdb" stroke-width="2"/>
${points}<text x="${x(0.5)}" y="${SIZE - 12}" text-anchor="middle">predicted chance of being right</text>
<text transform="translate(14 ${y(0.5)}) rotate(-90)" text-anchor="middle">share that was right</text>
<text x="${x(0.04)}" y="${Number(y(1)) + 14}">${figures}</text>
</svg>
`;
}
