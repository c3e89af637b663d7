apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "detector.name" . }}
  labels: {{- include "detector.labels" . | nindent 4 }}
data:
  detect.sh: |
    #!/bin/sh
    # Reports a detection every {{ .Values.intervalSeconds }} s until it is told to stop.
    trap 'exit 0' TERM
    while true; do
      mosquitto_pub --host "$BROKER_HOST" --port "$BROKER_PORT" --topic detections \
        --message "{\"time\": $(date +%s), \"kind\": \"person\", \"confidence\": {{ .Values.confidence }}}"
      sleep {{ .Values.intervalSeconds }} &
      wait $!
    done
