//! What the two ends of a session choose by each other's version (protocol.md 5.8).

/// The last agents that port sessions are not ended with by a flag.
const NO_TERMINATE_FLAG_AGENT: [u64; 4] = [2, 3, 722, 0];
/// The last agents that cannot multiplex.
const NO_MUX_AGENT: [u64; 4] = [3, 0, 196, 0];
/// The last agents for which clients keep mux sessions alive.
const KEEP_ALIVE_AGENT: [u64; 4] = [3, 1, 1511, 0];
/// The first clients for which agents multiplex.
const MUX_CLIENT: [u64; 3] = [1, 1, 70];
/// The last clients for which agents keep mux sessions alive.
const KEEP_ALIVE_CLIENT: [u64; 4] = [1, 2, 331, 0];

/// Whether a client multiplexes a `LocalPortForwarding` session with an agent of this version. False for versions
/// that have not four numbers, as with the official client.
pub fn client_runs_mux(agent_version: &str) -> bool {
    is_above(agent_version, NO_MUX_AGENT)
}

/// Whether a client sends keep-alives to an agent of this version and expects some. True for versions that have not
/// four numbers.
pub fn client_keeps_mux_alive(agent_version: &str) -> bool {
    !is_above(agent_version, KEEP_ALIVE_AGENT)
}

/// Whether a client ends a port session by asking an agent of this version to with a flag. False for versions that
/// have not four numbers.
pub fn client_sends_terminate_flag(agent_version: &str) -> bool {
    is_above(agent_version, NO_TERMINATE_FLAG_AGENT)
}

/// Whether an agent multiplexes a `LocalPortForwarding` session with a client of this version. False for versions
/// that are no numbers.
pub fn agent_runs_mux(client_version: &str) -> bool {
    numbers(client_version).is_some_and(|version| version.as_slice() >= MUX_CLIENT.as_slice())
}

/// Whether an agent sends keep-alives to a client of this version and kills silent sessions after 30 s. True for
/// versions that are no numbers.
pub fn agent_keeps_mux_alive(client_version: &str) -> bool {
    numbers(client_version).is_none_or(|version| version.as_slice() <= KEEP_ALIVE_CLIENT.as_slice())
}

fn is_above(version: &str, limit: [u64; 4]) -> bool {
    numbers(version)
        .is_some_and(|version| version.len() == limit.len() && version.as_slice() > limit.as_slice())
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_choose_at_below_and_above_each_limit() {
        let cases = [
            ("3.0.195.9", false, true),
            ("3.0.196.0", false, true),
            ("3.0.196.1", true, true),
            ("3.1.1511.0", true, true),
            ("3.1.1511.1", true, false),
            ("3.3.40.0", true, false),
            ("3.3.40", false, true),
            ("", false, true),
            ("new", false, true),
        ];
        for (agent, mux, keep_alive) in cases {
            assert_eq!((client_runs_mux(agent), client_keeps_mux_alive(agent)), (mux, keep_alive), "{agent}");
        }
        for (agent, flag) in [
            ("2.3.721.9", false),
            ("2.3.722.0", false),
            ("2.3.722.1", true),
            ("3.0.0.0", true),
            ("3.0.0", false),
        ] {
            assert_eq!(client_sends_terminate_flag(agent), flag, "{agent}");
        }
    }

    #[test]
    fn agents_choose_at_below_and_above_each_limit() {
        let cases = [
            ("1.1.69", false, true),
            ("1.1.69.9", false, true),
            ("1.1.70", true, true),
            ("1.1.70.0", true, true),
            ("1.2.0.0", true, true),
            ("1.2.331", true, true),
            ("1.2.331.0", true, true),
            ("1.2.331.1", true, false),
            ("1.2.339.0", true, false),
            ("1.2.764.0", true, false),
            ("", false, true),
            ("new", false, true),
        ];
        for (client, mux, keep_alive) in cases {
            assert_eq!(
                (agent_runs_mux(client), agent_keeps_mux_alive(client)),
                (mux, keep_alive),
                "{client}"
            );
        }
    }
}
