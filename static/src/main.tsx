import { render } from 'preact';
import './styles/main.css';
import { App } from './app.js';
import { startRouter } from './router.js';
import { startHealth } from './state/health.js';
import { startLive } from './state/live.js';
import { startSession } from './state/session.js';

startRouter();
await startSession();
startLive();
startHealth();
const root = document.getElementById('app');
if (root) render(<App />, root);
