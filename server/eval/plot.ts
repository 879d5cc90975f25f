/** The best-of-N curve as a picture. */
import type { BestOfNResult } from "./best-of-n.ts";

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 56, right: 150, top: 24, bottom: 44 } as const;

/** An SVG of accuracy over N (logarithmic), with the 95 % band, random sample, oracle and the best baseline. */
export function plotCurve(result: BestOfNResult, title: string): string {
  const most = Math.max(2, ...result.curve.map((point) => point.n));
  const top = Math.min(
    1,
    Math.ceil(10 * Math.max(result.oracle, ...result.curve.map((point) => point.high))) / 10,
  );
  const x = (n: number) =>
    MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * Math.log2(n)) / Math.log2(most);
  const y = (value: number) => HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * value) / top;
  const point = (n: number, value: number) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`;
  const line = (name: string, value: number, dash: string) =>
    `<line x1="${x(1)}" x2="${x(most)}" y1="${y(value)}" y2="${y(value)}" stroke="#888" stroke-dasharray="${dash}"/>` +
    `<text x="${x(most) + 8}" y="${y(value) + 4}">${name} ${value.toFixed(2)}</text>`;
  const baseline = Object.entries(result.baselines).sort((a, b) => b[1].value - a[1].value)[0];
  const band = [
    ...result.curve.map((one) => point(one.n, one.high)),
    ...[...result.curve].reverse().map((one) => point(one.n, one.low)),
  ].join(" ");
  const grid = Array.from({ length: Math.round(top * 10) + 1 }, (_, step) => step / 10)
    .map(
      (value) =>
        `<text x="${MARGIN.left - 8}" y="${y(value) + 4}" text-anchor="end">${value.toFixed(1)}</text>`,
    )
    .join("");
  const ticks = result.curve
    .map(({ n }) => `<text x="${x(n)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${n}</text>`)
    .join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12"><title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="#fff"/><text x="${MARGIN.left}" y="16" font-weight="bold">${escapeXml(title)}</text>
${grid}${ticks}<text x="${x(Math.sqrt(most))}" y="${HEIGHT - 8}" text-anchor="middle">samples N (predictions by reward, ${result.problems} problems)</text>
${line("oracle", result.oracle, "2 3")}${line("random", result.mean, "6 4")}${baseline ? line(baseline[0], baseline[1].value, "1 4") : ""}
<polygon points="${band}" fill="#2a6fdb" opacity="0.15"/>
<polyline points="${result.curve.map((one) => point(one.n, one.best_of_n)).join(" ")}" fill="none" stroke="#2a6fdb" stroke-width="2"/>
<text x="${x(most) + 8}" y="${y(result.best_of_n) - 8}" fill="#2a6fdb">best of N ${result.best_of_n.toFixed(2)}</text>
</svg>
`;
}

/** Text as an SVG may have it. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
