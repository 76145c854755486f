// SPDX-License-Identifier: Apache-2.0
import { createRoot } from 'react-dom/client';
import { App } from './ui/app';
import { register_service_worker } from './ui/update';
import './ui/styles.css';

createRoot(document.getElementById('root')!).render(<App />);
register_service_worker();
