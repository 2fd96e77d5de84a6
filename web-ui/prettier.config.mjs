// SPDX-License-Identifier: Apache-2.0
/** @type {import('prettier').Config} */
const config = { printWidth: 110, singleQuote: true };

export default config;
