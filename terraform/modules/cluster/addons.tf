# EKS's own add-ons. Those of others (KubeRay, Kueue, device plugins) are installed with kubectl: see infra/kubernetes/.

locals {
  # Add-ons that call AWS, with the policy of their role and the service account that takes it.
  addon_roles = {
    "aws-ebs-csi-driver" = {
      policy          = "service-role/AmazonEBSCSIDriverPolicy"
      service_account = "ebs-csi-controller-sa"
    }
    "amazon-cloudwatch-observability" = {
      policy          = "CloudWatchAgentServerPolicy"
      service_account = "cloudwatch-agent"
    }
  }
}

# Before the nodes: without a network no pod starts, and without its agent no pod gets a role.
resource "aws_eks_addon" "before_nodes" {
  for_each = {
    "vpc-cni"                = jsonencode({ enableNetworkPolicy = "true" })
    "kube-proxy"             = null
    "eks-pod-identity-agent" = null
  }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

resource "aws_eks_addon" "after_nodes" {
  for_each = toset(["coredns", "aws-ebs-csi-driver", "amazon-cloudwatch-observability"])

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = contains(keys(local.addon_roles), each.key) ? [local.addon_roles[each.key]] : []

    content {
      role_arn        = aws_iam_role.addon[each.key].arn
      service_account = pod_identity_association.value.service_account
    }
  }

  depends_on = [aws_eks_node_group.pool]
}

resource "aws_iam_role" "addon" {
  for_each = local.addon_roles

  name = "${var.name}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "addon" {
  for_each = local.addon_roles

  role       = aws_iam_role.addon[each.key].name
  policy_arn = "${local.policies}/${each.value.policy}"
}
