// SPDX-License-Identifier: Apache-2.0
const config = { plugins: { 'postcss-preset-mantine': {} } };

export default config;
