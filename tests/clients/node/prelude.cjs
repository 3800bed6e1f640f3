// Loaded before an example (node --require): what the example prints becomes
// JSON lines, {"log": [...]} and {"error": [...]}. The example itself is not touched.
'use strict';

const plain = (value) => (value instanceof Error ? { name: value.name, message: value.message } : value);

for (const [name, kind] of [['log', 'log'], ['error', 'error']]) {
  console[name] = (...values) => {
    process.stdout.write(JSON.stringify({ [kind]: values.map(plain) }) + '\n');
  };
}
