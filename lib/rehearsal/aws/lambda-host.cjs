// Runs one invocation of a Lambda bundle: reads the invocation as JSON from standard input, answers on file
// descriptor 3. Plain JavaScript, since a function's environment holds nothing but what its template says.
'use strict';

const { createWriteStream, readFileSync } = require('node:fs');
const { join } = require('node:path');

const { resolveOnly } = require('../network/loopback-names.cjs');

const invocation = JSON.parse(readFileSync(0, 'utf8'));

resolveOnly(invocation.names);

const [file, exportName] = invocation.handler.split('.');
const deadline = Date.now() + invocation.timeoutSeconds * 1000;
const context = {
  functionName: invocation.functionName,
  awsRequestId: invocation.requestId,
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
};

Promise.resolve()
  .then(() => require(join(invocation.codeDirectory, file))[exportName](invocation.event, context))
  .then(
    (result) => ({ result }),
    (error) => ({ error: { name: error?.name ?? 'Error', message: error?.message ?? String(error) } }),
  )
  // The runtime freezes the process after an answer, and sockets with it; here it ends.
  .then((answer) => createWriteStream('', { fd: 3 }).end(JSON.stringify(answer), () => process.exit(0)));
