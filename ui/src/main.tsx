/**
 * The start: styles, clocks and streams, then the frame.
 *
 * Evaluating the program and rendering the frame are two tasks, so that neither blocks input for long. The first
 * requests are sent at the end of the first one.
 */
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/problems.css";
import "./style/cards.css";
import "./style/alerts.css";
import "./style/snapshot.css";
import "./style/charts.css";
import "./style/states.css";
import "./style/tables.css";
import "./style/fold.css";
import "./style/traffic.css";
import "./style/print.css";
import { render } from "preact";
import { startHints } from "./api/hints";
import { startStore } from "./api/store";
import { Frame } from "./app/frame";

startStore();
startHints();
setTimeout(() => render(<Frame />, document.body));
