/** The version of the npm packages with llama.cpp's builds; all share one version of llama.cpp. */
export const BUILD_VERSION = "3.21.1";
