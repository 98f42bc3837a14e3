import { HostError, type AuditReport, type CommandError, type DocumentPlace, type Host } from '../host/types';

/** Account-Regions that are read at the same time. */
const AT_ONCE = 4;

/** An account-Region with what was found, or why nothing was. */
export interface AuditPlace {
  place: DocumentPlace;
  report: AuditReport | null;
  problem: CommandError | null;
}

export class AuditState {
  places = $state.raw<AuditPlace[]>([]);
  left = $state(0);

  /** Counts the readings, so that an answer to an older one is not taken. */
  #reading = 0;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  leave(): void {
    this.#reading += 1;
    this.places = [];
    this.left = 0;
  }

  /** Reads every place anew; each is shown when it is there. */
  async read(places: DocumentPlace[]): Promise<void> {
    this.#reading += 1;
    const reading = this.#reading;
    this.places = places.map((place) => ({ place, report: null, problem: null }));
    this.left = places.length;
    const waiting = [...places.keys()];
    const worker = async () => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const place = places[at] as DocumentPlace;
        let told: AuditPlace;
        try {
          told = { place, report: await this.#host.auditRead(place), problem: null };
        } catch (cause) {
          told = { place, report: null, problem: HostError.from(cause).problem };
        }
        if (reading !== this.#reading) return;
        this.places = this.places.map((one, i) => (i === at ? told : one));
        this.left -= 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }
}
