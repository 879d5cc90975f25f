/** All tests of the suite, in order. */
import "./activation.ts";
import "./suggest.ts";
import "./inline.ts";
import "./hover.ts";
import "./scoring.ts";
import "./network.ts";
import "./documents.ts";
import "./editor-models.ts";
import "./tools.ts";
