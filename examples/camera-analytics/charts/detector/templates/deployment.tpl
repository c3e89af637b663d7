apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "detector.name" . }}
  labels: {{- include "detector.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  # An old detector holds the accelerator that the new one waits for.
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "detector.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "detector.selector" . | nindent 8 }}
      annotations:
        checksum/config: {{ include (print $.Template.BasePath "/configmap.tpl") . | sha256sum }}
    spec:
      serviceAccountName: {{ include "detector.name" . }}
      # Nodes with accelerators are often kept for those who ask for one.
      tolerations:
        - {key: {{ .Values.accelerator.resource }}, operator: Exists, effect: NoSchedule}
      containers:
        - name: detector
          image: {{ .Values.image }}
          command: [/bin/sh, /etc/detector/detect.sh]
          env:
            - {name: BROKER_HOST, value: {{ .Values.broker.host | default (printf "%s-broker" .Release.Name) | quote }}}
            - {name: BROKER_PORT, value: {{ .Values.broker.port | quote }}}
          resources:
            requests:
              {{- toYaml .Values.resources.requests | nindent 14 }}
              {{ .Values.accelerator.resource }}: {{ .Values.accelerator.count }}
            limits:
              {{- toYaml .Values.resources.limits | nindent 14 }}
              {{ .Values.accelerator.resource }}: {{ .Values.accelerator.count }}
          volumeMounts:
            - {name: config, mountPath: /etc/detector}
      volumes:
        - name: config
          configMap: {name: {{ include "detector.name" . }}}
