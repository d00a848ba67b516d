# A role for each kind of job, taken by its pods through EKS Pod Identity: no key anywhere, and no role for a node.

data "aws_caller_identity" "current" {}

locals {
  attachments = merge([for kind, role in var.roles : {
    for name, arn in role.policy_arns : "${kind}/${name}" => { kind = kind, arn = arn }
  }]...)
}

resource "aws_iam_role" "job" {
  for_each = var.roles

  name                 = "${var.name}-${each.key}"
  description          = "Pods of ${each.value.namespace}/${each.value.service_account} in ${var.cluster_name}"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodsOfOneServiceAccount"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = data.aws_caller_identity.current.account_id
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.service_account
        }
        ArnEquals = { "aws:SourceArn" = var.cluster_arn }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "job" {
  for_each = local.attachments

  role       = aws_iam_role.job[each.value.kind].name
  policy_arn = each.value.arn
}

resource "aws_eks_pod_identity_association" "job" {
  for_each = var.roles

  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.job[each.key].arn
}
