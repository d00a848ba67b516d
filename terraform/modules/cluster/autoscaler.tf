# What the cluster autoscaler may do: see every group, and change those of this cluster alone; and what it cannot find out.

# A pool without nodes is known by its instance type, labels and taints. That says nothing of its disk, of which a pod may
# ask, nor of EFA: without these tags such a pod would wait for ever.
resource "aws_autoscaling_group_tag" "capacity" {
  for_each = merge(
    { for name, pool in var.pools : "${name}/ephemeral-storage" => { pool = name, value = "${pool.disk_gib - 10}Gi" } },
    { for name, pool in local.efa_pools : "${name}/vpc.amazonaws.com/efa" => { pool = name, value = tostring(pool.efa_interfaces) } },
  )

  autoscaling_group_name = aws_eks_node_group.pool[each.value.pool].resources[0].autoscaling_groups[0].name

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/resources/${trimprefix(each.key, "${each.value.pool}/")}"
    value               = each.value.value
    propagate_at_launch = false
  }
}

resource "aws_iam_policy" "autoscaler" {
  #checkov:skip=CKV_AWS_290:Looking at groups and types cannot be narrowed to a resource; changing them is, by the cluster's tag.
  #checkov:skip=CKV_AWS_355:The same: AWS offers no resource for the Describe calls.
  name        = "${var.name}-autoscaler"
  description = "The cluster autoscaler of ${var.name}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "autoscaling:DescribeAutoScalingGroups",
          "autoscaling:DescribeAutoScalingInstances",
          "autoscaling:DescribeLaunchConfigurations",
          "autoscaling:DescribeScalingActivities",
          "autoscaling:DescribeTags",
          "ec2:DescribeImages",
          "ec2:DescribeInstanceTypes",
          "ec2:DescribeLaunchTemplateVersions",
          "ec2:GetInstanceTypesFromInstanceRequirements",
        ]
        Resource = "*"
      },
      {
        # From here it learns the labels and taints of a pool that has no node at the moment.
        Sid      = "LookAtPools"
        Effect   = "Allow"
        Action   = ["eks:DescribeNodegroup"]
        Resource = "arn:${data.aws_partition.current.partition}:eks:*:${data.aws_caller_identity.current.account_id}:nodegroup/${var.name}/*"
      },
      {
        Sid      = "Scale"
        Effect   = "Allow"
        Action   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
        Resource = "*"
        Condition = {
          StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.name}" = "owned" }
        }
      },
    ]
  })
}
