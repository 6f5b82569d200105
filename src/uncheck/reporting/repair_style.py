"""How the page of a repair looks: light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --back: #fbfbfa; --card: #ffffff; --ink: #1d2126; --soft: #5b6470; --line: #dfe2e6;
  --good: #1a7f4b; --bad: #b54708; --was: #c2571a; --now: #1f6fb2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171a; --card: #1c2024; --ink: #e7e9ec; --soft: #9aa4b0; --line: #32383f;
    --good: #4cc38a; --bad: #f5a35c; --was: #f09a5f; --now: #6cb2ee;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1106px; margin: 0 auto; padding: 28px 16px 56px; }
h1 { font-size: 1.3rem; line-height: 1.4; margin: 6px 0 10px; text-wrap: pretty; }
h2 { font-size: 1.05rem; margin: 36px 0 8px; }
p { margin: 0 0 10px; max-width: 72ch; }
.soft, figcaption, .note { color: var(--soft); font-size: .9rem; }
.verdict { display: inline-block; font-weight: 600; padding: 1px 11px; border-radius: 99px;
  border: 1.5px solid currentColor; }
.repaired, .clean { color: var(--good); }
.refused { color: var(--bad); }
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 20px 0 0; }
.tile { flex: 1 1 150px; max-width: 250px; min-width: max-content; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; padding: 11px 14px; }
.tile b { display: block; font-size: 1.3rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .86rem; }
.row { display: flex; flex-wrap: wrap; gap: 16px; margin: 12px 0 6px; }
figure { margin: 0; width: 290px; max-width: 100%; }
figure.crop { width: 256px; }
figure img { display: block; max-width: 100%; border-radius: 4px; background: #808080; }
img.crop { width: 256px; height: auto; image-rendering: pixelated; }
img.whole { width: 100%; height: auto; }
.spectrum { position: relative; }
.spectrum img { width: 100%; height: auto; }
.spectrum svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.spectrum circle { fill: none; stroke: #ffd23f; stroke-width: .55; }
figcaption { margin-top: 4px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 22px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; }
th.r, td.r { text-align: right; white-space: nowrap; }
td.wide { min-width: 12em; }
.tile b { white-space: nowrap; }
.bar { display: inline-block; position: relative; width: 120px; height: 10px; margin-left: 12px;
  background: linear-gradient(var(--line), var(--line)) center / 1px 100% no-repeat; }
.bar i { position: absolute; top: 0; bottom: 0; background: var(--now); border-radius: 2px; }
.chart { width: 100%; height: auto; max-width: 860px; }
.chart path { fill: none; stroke-width: 1.4; vector-effect: non-scaling-stroke; }
.chart .was { stroke: var(--was); } .chart .now { stroke: var(--now); }
.chart line { stroke: var(--line); } .chart text { fill: var(--soft); font-size: 12px; }
.key { display: inline-block; width: 1.6em; height: 3px; vertical-align: middle; margin-right: 5px; }
@media (max-width: 520px) {
  .tiles { display: grid; grid-template-columns: 1fr 1fr; }
  .tile { min-width: 0; padding: 9px 11px; }
  .tile b { font-size: 1.08rem; }
  th, td { padding-right: 13px; }
  .bar { width: 76px; margin-left: 2px; }
}
dl { margin: 0; } dt { font-weight: 600; } dd { margin: 0 0 10px; max-width: 72ch; }
ul { padding-left: 1.2em; margin: 0; } li { max-width: 72ch; }
"""
