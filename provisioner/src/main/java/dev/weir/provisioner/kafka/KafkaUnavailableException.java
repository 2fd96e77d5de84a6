// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.kafka;

/** Kafka did not do what it was asked to in time; worth trying again. */
public final class KafkaUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public KafkaUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
