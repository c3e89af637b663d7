apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "broker.name" . }}-announce
  labels: {{- include "broker.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: post-install
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 3
  template:
    metadata:
      labels:
        app.kubernetes.io/name: broker-announce
        app.kubernetes.io/instance: {{ .Release.Name }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ include "broker.name" . }}
      containers:
        - name: announce
          image: {{ .Values.image }}
          command:
            - mosquitto_pub
            - --host={{ include "broker.name" . }}
            - --port={{ .Values.port }}
            - --retain
            - --topic=site/status
            - --message={{ .Values.announcement }}
          resources:
            requests: {cpu: 10m, memory: 16Mi}
            limits: {memory: 32Mi}
