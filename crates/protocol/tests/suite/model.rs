//! Any sequence of operations, compared with the models that the fuzz targets use.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{mux_operations, operations};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_on_a_client_and_an_agent_agree_with_two_byte_streams(data in vec(any::<u8>(), 0..700)) {
        operations::run(&data);
    }

    #[test]
    fn any_operations_on_two_mux_sessions_agree_with_their_streams(data in vec(any::<u8>(), 0..700)) {
        mux_operations::run(&data);
    }
}
