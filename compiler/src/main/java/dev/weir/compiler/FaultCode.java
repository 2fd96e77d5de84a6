// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

/** Why a tree is refused. The names are part of the API: they appear as {@code errors[].code}. */
public enum FaultCode {
    /** A value is outside of what its field's text allows. */
    VALUE_OUT_OF_RANGE,
    /** Two siblings have the same name. */
    NAME_NOT_UNIQUE,
    ADDRESS_INVALID,
    CIDR_INVALID,
    TOO_MANY_CIDRS,
    PORT_RANGE_INVALID,
    /** Two listeners of one protocol share a port. */
    PORT_RANGE_OVERLAP,
    /** A listener refers to a pool that the tree does not have. */
    POOL_NOT_FOUND,
    /** A named placement or a member's scope refers to a PoP that does not exist. */
    POP_NOT_FOUND,
    /** Two members of a pool share address, port mapping and PoP scope. */
    MEMBER_NOT_UNIQUE,
    TOO_MANY_MEMBERS,
    /** Only dnat and snat can change the port. */
    PORT_MAPPING_NEEDS_NAT,
    /** The listener's port plus the member's offset is no port. */
    PORT_OFFSET_OUT_OF_RANGE,
    /** A VIP's family has no member in a pool that translates addresses. */
    VIP_FAMILY_WITHOUT_MEMBER,
    /** Members reached by dnat or dsr belong to a PoP once the placement has several. */
    MEMBER_NEEDS_POP_SCOPE,
    /** The replies of a member could belong to more than one VIP and port. */
    DNAT_REVERSE_AMBIGUOUS,
    PROXY_PROTOCOL_NEEDS_SNAT,
    STATELESS_NEEDS_UDP,
    STATELESS_WITH_SNAT,
    /** A reset of idle flows is for TCP under dnat and snat. */
    RESET_NEEDS_TCP,
    RESET_NEEDS_NAT,
    /** How to tunnel is said under forwarding mode tunnel only. */
    ENCAPSULATION_NEEDS_TUNNEL,
    TUNNEL_PORT_NEEDS_GUE,
    /** A UDP probe sends something; no other does. */
    UDP_SEND_REQUIRED,
    UDP_SEND_NEEDS_UDP,
    BASE64_INVALID,
    /** A listener refers to a prefix list that the project does not have. */
    PREFIX_LIST_NOT_FOUND,
    TOO_MANY_PREFIX_LISTS,
    /** A PoP of the placement has nodes that lack a feature which the tree uses. */
    FEATURE_NOT_AVAILABLE,
    /** The compiled record would be larger than 512 KiB. */
    RECORD_TOO_LARGE
}
