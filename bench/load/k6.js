/**
 * Load on a running service with k6 (https://k6.io): `k6 run -e URL=… -e FLAG=… bench/load/k6.js`. README.md beside it has all settings.
 * It runs in k6, not in Node.
 */
/* global __ENV */
import { check, sleep } from 'k6';
import http from 'k6/http';
import { Rate } from 'k6/metrics';

const URL = __ENV.URL || 'http://localhost:8000';
const FLAG = __ENV.FLAG || 'new-checkout';
const ENVIRONMENT = __ENV.ENVIRONMENT || 'production';
/** A server or client key of the environment; without it nobody in particular asks. */
const KEY = __ENV.KEY || '';
/** An admin key with the role developer, or admin where the environment is protected; without it nothing is managed. */
const ADMIN_KEY = __ENV.ADMIN_KEY || '';

const PROFILES = {
  /** One question, many users: 100 at once, who think for 0.1 s. */
  baseline: {
    stages: [
      { duration: '30s', target: 100 },
      { duration: '1m', target: 100 },
      { duration: '30s', target: 0 },
    ],
    thresholds: { http_req_duration: ['p(95)<10'], http_req_failed: ['rate<0.01'], wrong: ['rate==0'] },
    step: () => {
      evaluate(`user-${Math.floor(Math.random() * 10_000)}`);
      sleep(0.1);
    },
  },
  /** What a day is made of: mostly questions, with and without a user; some look things up; one in a hundred changes something. */
  mixed: {
    stages: [
      { duration: '20s', target: 10 },
      { duration: '40s', target: 30 },
      { duration: '20s', target: 0 },
    ],
    thresholds: { http_req_duration: ['p(95)<200'], http_req_failed: ['rate<0.05'], wrong: ['rate<0.05'] },
    step: () => {
      evaluate(Math.random() < 0.7 ? `user-${Math.floor(Math.random() * 50)}` : undefined);
      if (ADMIN_KEY !== '') manage();
      sleep(0.1);
    },
  },
};

const profile = PROFILES[__ENV.PROFILE || 'baseline'];
if (!profile) throw new Error(`PROFILE must be one of ${Object.keys(PROFILES).join(', ')}`);
const wrong = new Rate('wrong');

export const options = { stages: profile.stages, thresholds: profile.thresholds };

export default function run() {
  profile.step();
}

function evaluate(user) {
  const who = user === undefined ? '' : `&user_id=${user}`;
  const answer = http.get(
    `${URL}/evaluate/${encodeURIComponent(FLAG)}?environment_key=${ENVIRONMENT}${who}`,
    {
      headers: KEY === '' ? {} : { 'X-API-Key': KEY },
      tags: { name: 'evaluate' },
    },
  );
  const isRight = check(answer, {
    'status is 200': ({ status }) => status === 200,
    'says whether it is enabled': (each) => typeof each.json('enabled') === 'boolean',
    'the flag is known': (each) => each.json('error_code') === undefined,
  });
  wrong.add(!isRight);
}

function manage() {
  const headers = { 'X-API-Key': ADMIN_KEY, 'Content-Type': 'application/json' };
  const flag = `${URL}/flags/${encodeURIComponent(FLAG)}?environment_key=${ENVIRONMENT}`;
  const isFine = (answer) => wrong.add(!check(answer, { 'is managed': ({ status }) => status === 200 }));
  if (Math.random() < 0.2) isFine(http.get(flag, { headers, tags: { name: 'details' } }));
  if (Math.random() < 0.1)
    isFine(http.get(`${URL}/flags?environment_key=${ENVIRONMENT}`, { headers, tags: { name: 'list' } }));
  if (Math.random() < 0.01)
    isFine(http.put(flag, JSON.stringify({ is_enabled: true }), { headers, tags: { name: 'update' } }));
}
