//! The Session Manager data channel as sans-IO state machines, for both roles.
//!
//! [`ClientChannel`] is what the engine drives; [`AgentChannel`] is what the simulator drives. Both sit on the same
//! reliable channel: one sequence counter for each direction, exact acknowledgements, retransmission, ordering, a
//! byte-bounded send window and a byte-bounded receive budget. [`AgentMessage`] is the frame codec and
//! [`OpenMessage`] the one text message; gateways use these two alone.
//!
//! Nothing here reads a clock, opens a socket, spawns a task or asks the system for randomness: time comes in as
//! [`Moment`], ids come from a seed in the configuration. Facts about the wire are from the protocol reference, cited
//! as "protocol.md" with the section.
//!
//! # Tests
//!
//! Invariants of protocol.md 11.2 and the tests that hold them, in `tests/suite`. Invariants that are not listed
//! belong to other crates.
//!
//! | | Invariant | Test |
//! |---|---|---|
//! | a | vectors byte-exact | `vectors::every_frame_encodes_and_decodes_byte_exact`, `vectors::every_json_body_is_read_and_written_back_byte_exact`, `vectors::open_messages_are_written_and_read_byte_exact` |
//! | b | id halves swapped | `frame::message_id::tests::halves_are_swapped_on_the_wire_and_back` |
//! | c | spaces written, NULs accepted | `vectors::every_frame_encodes_and_decodes_byte_exact`, `vectors::every_tolerance_entry_gives_the_advised_result_for_a_client` |
//! | d | malformed frames survived | `vectors::every_tolerance_entry_gives_the_advised_result_for_a_client`, `vectors::agents_check_dates_of_publications_but_no_digests`, `codec::every_length_up_to_200_is_survived`, `codec::random_bytes_never_panic`, `corpus::the_frame_corpus_replays_without_a_panic` |
//! | e | digest over the wire payload | `vectors::every_frame_encodes_and_decodes_byte_exact` (`encrypted_input_ls`), `sealing::the_recorded_data_key_seals_and_opens_the_recorded_payloads` |
//! | f | unknown types survived | `sequencing::unknown_message_and_payload_types_are_survived` |
//! | g | one counter, no gaps | `sequencing::one_counter_from_zero_without_gaps_for_all_payload_types` |
//! | h | flags and acknowledgement headers | `sequencing::client_data_has_no_flags_and_acknowledgements_have_number_zero_and_flags_three`, `sequencing::agent_data_has_the_syn_flag_on_number_zero_only` |
//! | i | retransmission byte-identical | `sequencing::retransmissions_are_byte_identical` |
//! | j | in order over bad links | `delivery::shells_arrive_exactly_over_bad_links`, `delivery::sealed_shells_arrive_exactly_over_bad_links`, `delivery::interactive_commands_arrive_exactly_over_bad_links`, `delivery::commands_with_streams_and_exit_code_arrive_exactly_over_bad_links`, `delivery::stdio_port_sessions_arrive_exactly_over_bad_links`, `delivery::basic_port_sessions_arrive_exactly_over_bad_links`, `delivery::mux_sessions_arrive_exactly_over_bad_links` |
//! | k | duplicates acknowledged again | `sequencing::duplicates_are_acknowledged_again_and_delivered_once` |
//! | l | not ready: no acknowledgement, no advance | `handshake::input_before_ready_is_left_unacknowledged`, `sequencing::over_the_receive_budget_nothing_is_acknowledged_or_advanced_until_consumed` |
//! | m | buffered messages dispatched by type | `handshake::handshake_messages_out_of_order_are_dispatched_by_type_when_their_turn_comes` |
//! | n | producer blocks at the window | `sequencing::the_sender_blocks_at_the_window_and_drops_nothing` |
//! | o | time-outs; selective acknowledgements | `channel::round_trip::tests::samples_give_the_time_outs_of_the_official_peers`, `sequencing::acknowledgements_work_in_any_order_and_unknown_ones_are_ignored`, `sequencing::retransmitted_messages_give_no_round_trip_sample` |
//! | p | open message | `connection::the_open_message_comes_first_with_a_new_request_id_and_a_constant_client_id` |
//! | r | resume keeps the state | `connection::resuming_keeps_the_sequence_state_and_repeats_no_handshake` |
//! | w | shell without a handshake | `handshake::a_session_without_a_handshake_starts_as_a_shell_and_shows_its_first_output` |
//! | x | unknown action is status 3 | `handshake::unknown_actions_are_answered_with_status_three_and_left_to_the_agent` |
//! | y | a request is answered once | `handshake::a_repeated_request_is_acknowledged_again_and_answered_once`, `sealing::nothing_leaves_while_the_data_key_is_awaited_but_acknowledgements`, `sealing::a_repeated_request_after_the_answer_is_acknowledged_and_a_new_one_ends_the_session` |
//! | z | no input before completion, size after | `handshake::no_input_leaves_before_the_handshake_is_complete_and_the_size_follows_at_once` |
//! | aa | a sealed session never runs in the clear | `handshake::a_session_that_must_be_sealed_is_refused_and_never_run_in_the_clear`, `sealing::a_refused_key_is_told_to_the_agent_and_the_session_never_runs`, `sealing::data_that_is_unsealed_changed_or_sealed_otherwise_ends_the_session_and_is_not_shown`, `sealing::sealed_sessions_deliver_everything_over_60_bad_links_and_show_no_plain_text` |
//! | aa | key halves, nonces, encryption context | `sealing::the_recorded_data_key_seals_and_opens_the_recorded_payloads`, `sealing::every_message_has_its_own_nonce_random_from_clients_and_counted_from_agents`, `sealing::both_sides_ask_for_the_data_key_with_the_same_key_and_encryption_context`, `sealing::the_challenge_is_in_the_context_only_when_it_is_acknowledged` |
//! | cc, dd, hh | bytes pass unchanged | `shell::bytes_pass_unchanged_in_both_directions` |
//! | ee | sizes coalesced | `shell::only_changes_are_sent_one_at_a_time_and_the_last_one_wins` |
//! | ff | streams and exit code apart | `shell::output_standard_error_and_exit_code_are_told_apart` |
//! | gg | `channel_closed` | `connection::channel_closed_ends_the_session_with_and_without_a_text`, `connection::channel_closed_ends_the_session_even_when_it_cannot_be_read` |
//! | bb | version gates (of mux sessions) | `mux::gates::tests::clients_choose_at_below_and_above_each_limit`, `mux::gates::tests::agents_choose_at_below_and_above_each_limit` |
//! | jj | 100 streams, byte-exact both ways (mux) | `mux_pipe::a_hundred_streams_carry_all_bytes_both_ways_at_once`, `mux_pipe::four_mebibytes_pass_both_ways` |
//! | kk | mux ids, lengths, splits, bad version | `mux::clients_use_the_ids_three_five_seven_and_none_twice`, `mux_frames::only_data_frames_have_a_length_when_written`, `mux_frames::frames_may_be_cut_at_every_offset`, `mux_frames::a_bad_version_closes_the_session_once_and_for_good` |
//! | mm | a slow reader does not stall other streams | `mux::a_slow_reader_stalls_only_itself_and_ends_with_a_name` |
//! | nn | half-close policy | `mux::the_answer_arrives_after_the_client_has_finished`, `mux::a_finished_stream_on_which_nothing_happens_is_reset_after_the_grace` |
//! | oo | mux keep-alive | `mux::with_keep_alive_nops_flow_and_the_session_lives`, `mux::without_keep_alive_an_idle_session_does_nothing` |
//! | vv | `channel_closed` cancels the agent | `shell::channel_closed_cancels_the_agent_once` |
//! | ww | pause and resume | `shell::a_pause_stops_agent_output_and_any_input_resumes_it` |
//! | xx | input before ready and during the handshake | `handshake::input_before_ready_is_left_unacknowledged`, `handshake::input_during_the_handshake_is_acknowledged_and_dropped` |

mod agent;
mod channel;
mod client;
mod frame;
mod json;
mod moment;
mod mux;
mod output;
mod sealing;
mod secret;
mod session_kind;
mod stats;

pub use agent::{AgentChannel, AgentConfig, AgentEvent, AgentOutput, HandshakeOffer};
pub use channel::{LargeMessages, Repeats};
pub use client::{
    ClientChannel, ClientConfig, ClientEvent, ClientOutput, CloseReason, DataStream, HandshakeFailure,
    Misbehaviour, Publication,
};
pub use frame::{
    AgentMessage, DecodeError, Decoder, Flags, HEADER_BYTES, MessageId, MessageType, OtherType,
    ParseMessageIdError, PayloadType,
};
pub use json::{
    AcknowledgeContent, ActionResult, ActionStatus, AgentSessionState, ChannelClosed, EncChallenge,
    HandshakeComplete, HandshakeRequest, HandshakeResponse, JsonError, OpenMessage, Opener, ProcessedAction,
    RequestedAction, SessionState, TerminalSize,
};
pub use moment::Moment;
pub use mux::{
    MUX_HEADER_BYTES, MUX_MAX_DATA_BYTES, MuxCloseReason, MuxConfig, MuxDecoder, MuxEvent, MuxFinish,
    MuxFrame, MuxFrameError, MuxKeepAlive, MuxOpenError, MuxPart, MuxResetReason, MuxRole, MuxSession,
    MuxStats, MuxStreamId, MuxWriteError, agent_keeps_mux_alive, agent_runs_mux, client_keeps_mux_alive,
    client_runs_mux, client_sends_terminate_flag,
};
pub use output::Output;
pub use sealing::{
    Aead, AeadError, ClientSealing, DATA_KEY_BYTES, DataKey, DataKeyError, DataKeyRequest, NONCE_BYTES,
    SEALING_OVERHEAD, SealingKey, SealingOffer, TAG_BYTES,
};
pub use secret::{SessionId, StreamToken};
pub use session_kind::SessionKind;
pub use stats::{Rejected, Stats};
