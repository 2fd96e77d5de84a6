// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class ContractSchemasTests {
    private static final ContractSchemas SCHEMAS = new ContractSchemas();

    @ParameterizedTest(name = "{0} {1}: {2} {3}")
    @CsvSource(delimiter = '|', textBlock = """
                    MemberUpdate | {"weight": 0}                                 |            |
                    MemberUpdate | {"weight": 256}                               |            |
                    MemberUpdate | {"weight": 257}                               | /weight    | VALUE_OUT_OF_RANGE
                    MemberUpdate | {"weight": -1}                                | /weight    | VALUE_OUT_OF_RANGE
                    MemberUpdate | {"weight": 1.5}                               | /weight    | WRONG_TYPE
                    MemberUpdate | {"weight": "1"}                               | /weight    | WRONG_TYPE
                    MemberUpdate | {"weight": 99999999999999999999}              | /weight    | WRONG_TYPE
                    MemberUpdate | {"weight": null}                              | /weight    | WRONG_TYPE
                    MemberUpdate | {"a/b~c": 1}                                  | /a~1b~0c   | UNKNOWN_PROPERTY
                    MemberUpdate | []                                            | ''         | WRONG_TYPE
                    VipUpdate    | {"load_balancer_id": null}                    |            |
                    VipUpdate    | {"name": "Ä"}                                 | /name      | WRONG_FORMAT
                    VipUpdate    | {"name": "a-"}                                | /name      | WRONG_FORMAT
                    Placement    | {}                                            | /kind      | REQUIRED
                    Placement    | {"kind": "some"}                              | /kind      | UNKNOWN_VALUE
                    Placement    | {"kind": "labels", "labels": {"a": 1}}        | /labels/a  | WRONG_TYPE
                    MemberSpec   | {"address": "a", "pop_ids": ["x", "x"]}       | /pop_ids/1 | NOT_UNIQUE
                    AddressPoolCreate | {"name": "a", "prefixes": []}            | /prefixes  | TOO_FEW
                    """)
    void eachFaultIsFoundAtItsPointer(String schema, String body, String pointer, String code) {
        var faults = SCHEMAS.check(schema, JsonMapper.shared().readTree(body));

        if (code == null) {
            assertThat(faults).isEmpty();
        } else {
            assertThat(faults).extracting(FieldFault::pointer).containsExactly(pointer);
            assertThat(faults).extracting(FieldFault::code).containsExactly(code);
        }
    }
}
