#!/bin/bash
# Classify a folder with a Slurm array: one shard a task, merged by a job that waits for all.
#
#     mkdir -p parts logs
#     job=$(sbatch --parsable slurm-array.sh /data/clips)
#     sbatch --dependency=afterok:"$job" --output=logs/merge.log \
#         --wrap 'emotool merge parts/ -o labels.parquet || [ $? -eq 3 ]'
#
# A task that is preempted, runs out of time or loses its node is started again and resumes. Tasks
# that are complete end at once, so the same command may be given again after any failure. The
# folder of the parts must be on a file system that all nodes share.
#SBATCH --job-name=emotool
#SBATCH --array=1-64
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=logs/%a.log

set -u
shards=64 # as in --array; not SLURM_ARRAY_TASK_COUNT, which is less when some tasks are run again

# Exit code 3: the table is complete, and some clips could not be read. The merge lists them.
srun emotool classify "$1" --shard "$SLURM_ARRAY_TASK_ID/$shards" \
    -o "parts/$SLURM_ARRAY_TASK_ID.parquet" --workers "$SLURM_CPUS_PER_TASK" || [ $? -eq 3 ]
