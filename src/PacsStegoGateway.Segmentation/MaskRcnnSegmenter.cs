using System.Collections.Concurrent;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation.OnnxRuntime;

namespace PacsStegoGateway.Segmentation;

/// <summary>Where the library is and how many sessions may stand at once.</summary>
public sealed record MaskRcnnOptions
{
    /// <summary>The native ONNX Runtime; null: looked for as <see cref="OnnxRuntimeLibrary"/> says.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>
    /// Most sessions at once, each about 30 MiB and single-threaded; callers beyond wait their turn. Default: the
    /// number of processors (more cannot run at once anyway). Range 1 to 256.
    /// </summary>
    public int MaximumSessions { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 256);
}

/// <summary>
/// A Mask R-CNN finds the anatomy, intensities draw its rim (<see cref="RimRefinement"/>), and the rules every segmenter
/// shares (<see cref="MaskRules"/>) decide which blocks may carry data. Safe to call from several threads: each call
/// rents a single-threaded session with its own buffers.
/// </summary>
public sealed class MaskRcnnSegmenter : IBackgroundSegmenter, IDisposable
{
    private readonly byte[] _model;
    private readonly MaskRcnnOptions _options;
    private readonly ConcurrentBag<Worker> _idle = [];
    private readonly SemaphoreSlim _places;
    private bool _isDisposed;

    /// <param name="modelPath">The network; <c>model.json</c> beside it describes it.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="OnnxRuntimeUnavailableException">The native library is not there.</exception>
    /// <exception cref="SegmentationModelException">The model is missing, damaged or another one than described.</exception>
    public MaskRcnnSegmenter(string modelPath, MaskRcnnOptions? options = null)
    {
        _options = options ?? new MaskRcnnOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaximumSessions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.MaximumSessions, 256);
        Model = ModelDescription.Load(modelPath, out _model);
        Library = OnnxRuntimeLibrary.Load(_options.LibraryPath);
        Name = $"mask-rcnn {Model.Name} sha256:{Model.Sha256[..16]} onnxruntime {Library.Version}";
        _places = new SemaphoreSlim(_options.MaximumSessions);
        try
        {
            // One run now: a file that is no such network stops the start, not the first patient.
            Worker worker = new(this);
            worker.Session.Run();
            _idle.Add(worker);
        }
        catch (OnnxRuntimeException failure)
        {
            throw new SegmentationModelException($"'{modelPath}' does not run as '{Model.Name}': {failure.Message}", failure);
        }
    }

    public string Name { get; }

    public ModelDescription Model { get; }

    /// <summary>The native library in use: path, version, checksum.</summary>
    public OnnxRuntimeLibrary Library { get; }

    public BackgroundMask Segment(CellSums sums, PixelDescription description)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _places.Wait();
        Worker? worker = null;
        try
        {
            if (!_idle.TryTake(out worker))
            {
                worker = new Worker(this);
            }

            return worker.Segment(sums, description, Model);
        }
        finally
        {
            // A worker carries nothing over from one image to the next, so it is as good after a failure.
            if (worker is not null)
            {
                _idle.Add(worker);
            }

            _places.Release();
        }
    }

    /// <summary>No call may be under way.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        while (_idle.TryTake(out Worker? worker))
        {
            worker.Session.Dispose();
        }

        _places.Dispose();
    }

    /// <summary>A session and the buffers that go with it.</summary>
    private sealed class Worker(MaskRcnnSegmenter owner)
    {
        private readonly SegmentationBuffers _buffers = new();
        private readonly AreaResampler _resampler = new(owner.Model.Input.Width, owner.Model.Input.Height);

        public OrtSession Session { get; } = new(
            owner.Library,
            owner._model,
            [new TensorShape(owner.Model.Input.Name, 1, 1, owner.Model.Input.Height, owner.Model.Input.Width)],
            [
                new TensorShape(owner.Model.Outputs.Box, 1, 4),
                new TensorShape(owner.Model.Outputs.Score, 1),
                new TensorShape(owner.Model.Outputs.Mask, 1, owner.Model.Outputs.MaskSize, owner.Model.Outputs.MaskSize),
            ]);

        public BackgroundMask Segment(CellSums sums, PixelDescription description, ModelDescription model)
        {
            if (ModalityRules.Read(sums, description, model.Normalisation, _buffers, out string? reason) is not { } rule)
            {
                return BackgroundMask.Empty(description.Columns, description.Rows, reason!);
            }

            try
            {
                RunNetwork(model);
                float score = Session.Output(1)[0];
                if (!(score >= model.MinimumScore))
                {
                    return BackgroundMask.Empty(
                        description.Columns, description.Rows, $"The network is not sure where the anatomy is (score {score:F2}, needed {model.MinimumScore:F2}).");
                }

                MaskPaste.ToCells(Session.Output(0), Session.Output(2), model, _buffers);
                RimRefinement.Apply(_buffers, model.Refinement);
                return MaskRules.Apply(_buffers, rule, model.Normalisation, description.Columns, description.Rows);
            }
            finally
            {
                _buffers.Trim();
            }
        }

        private void RunNetwork(ModelDescription model)
        {
            float[] input = Session.Input(0);
            _resampler.Resize(_buffers.Values.AsSpan(0, _buffers.Length), _buffers.Width, _buffers.Height, input);
            float mean = (float)model.Normalisation.Mean;
            float scale = (float)(1 / model.Normalisation.Deviation);
            for (int i = 0; i < input.Length; i++)
            {
                input[i] = (input[i] - mean) * scale;
            }

            Session.Run();
        }
    }
}
