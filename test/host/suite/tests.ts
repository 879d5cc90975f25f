/** All tests of the suite, in order. */
import "./activation.ts";
import "./suggest.ts";
import "./network.ts";
