// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import dev.weir.edge.AgentConfig;
import dev.weir.edge.identity.NodeIdentity;
import dev.weir.edge.identity.NodeSslEngineFactory;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SslConfigs;

/** How this node reaches Kafka: with its own certificate, both sides proving who they are. */
public final class KafkaAccess {
    public static final String CONFIG_TOPIC = "weir.config.v1";
    public static final String POPS_TOPIC = "weir.pops.v1";
    public static final String WATERMARKS_TOPIC = "weir.watermarks.v1";
    public static final String HEALTH_TOPIC = "weir.health.v1";
    public static final String METRICS_TOPIC = "weir.metrics.v1";
    public static final String FLOWS_TOPIC = "weir.flows.v1";

    private final AgentConfig.Kafka settings;
    private final String nodeId;
    private final NodeIdentity identity;

    public KafkaAccess(AgentConfig.Kafka settings, String nodeId) {
        this.settings = settings;
        this.nodeId = nodeId;
        this.identity = new NodeIdentity(settings.certificate(), settings.key());
    }

    public AgentConfig.Kafka settings() {
        return settings;
    }

    /** What the node signs its reports with. */
    public NodeIdentity identity() {
        return identity;
    }

    /** Settings that every client shares; each new connection has the certificate of that time. */
    public Map<String, Object> common() {
        Map<String, Object> common = new HashMap<>();
        common.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrap());
        common.put(CommonClientConfigs.CLIENT_ID_CONFIG, nodeId);
        common.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "SSL");
        common.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, NodeSslEngineFactory.class);
        common.put(NodeSslEngineFactory.CA_CONFIG, settings.ca().toString());
        common.put(
                NodeSslEngineFactory.CERTIFICATE_CONFIG, settings.certificate().toString());
        common.put(NodeSslEngineFactory.KEY_CONFIG, settings.key().toString());
        common.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 50);
        common.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        common.put(CommonClientConfigs.RETRY_BACKOFF_MS_CONFIG, 50);
        common.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
        return common;
    }
}
