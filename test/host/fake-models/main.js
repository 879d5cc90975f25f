// An extension that offers a language model to others, as providers of real ones do. Its answers are written down;
// what it was asked is what it exports.
const vscode = require("vscode");

const ANSWERS = [
  "```python\nreturn a - b\n```",
  "The sum:\n\n```python\nreturn a + b\n```\n",
  "I cannot help with that.",
];

exports.activate = (context) => {
  const asked = [];
  const provider = {
    provideLanguageModelChatInformation: async () => [
      {
        id: "fake",
        name: "Fake",
        family: "fake",
        version: "1",
        maxInputTokens: 8192,
        maxOutputTokens: 1024,
        capabilities: {},
      },
    ],
    async provideLanguageModelChatResponse(_model, messages, _options, progress) {
      const answer = ANSWERS[asked.length % ANSWERS.length];
      asked.push(messages.map(({ content }) => content.map((part) => part.value ?? "").join("")));
      for (const piece of answer.match(/.{1,8}/gs)) {
        progress.report(new vscode.LanguageModelTextPart(piece));
      }
    },
    provideTokenCount: async (_model, text) => String(text).length,
  };
  context.subscriptions.push(vscode.lm.registerLanguageModelChatProvider("codescaler-test", provider));
  return { asked };
};
