import type { TabRow } from './types';

/** Connecting with a chosen document, as the interface sees it; see `types.ts`. */

export interface ConnectParameter { name: string; values: string[] }
export interface ConnectRequest { nodeKey: string; document: string | null; parameters: ConnectParameter[]; reason: string | null }
/** The parameter is empty for the reason. */
export interface ConnectProblem { parameter: string; message: string }
export interface ConnectCheck { problems: ConnectProblem[]; awsCommand: string; fleetlineCommand: string }

export interface ConnectHost {
  /** `text` is the document's content; without it only the reason is judged. */
  connectCheck(request: ConnectRequest, text: string | null): Promise<ConnectCheck>;
  connectLast(nodeKey: string): Promise<ConnectRequest | null>;
  connectOpen(request: ConnectRequest): Promise<TabRow>;
}
