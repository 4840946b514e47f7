/** The start: styles, clocks and streams, then the frame. */
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/panels.css";
import "./style/tables.css";
import "./style/fold.css";
import { render } from "preact";
import { startHints } from "./api/hints";
import { startStore } from "./api/store";
import { Frame } from "./app/frame";

startStore();
startHints();
render(<Frame />, document.body);
