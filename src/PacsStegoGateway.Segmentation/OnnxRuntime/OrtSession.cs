namespace PacsStegoGateway.Segmentation.OnnxRuntime;

/// <summary>
/// One model with its tensors, made once and used again for every image: nothing is allocated per run. For one caller
/// at a time.
/// </summary>
internal sealed unsafe class OrtSession : IDisposable
{
    private readonly OrtApi _api;
    private readonly OrtHandle _session;
    private readonly Tensor[] _inputs;
    private readonly Tensor[] _outputs;

    /// <exception cref="OnnxRuntimeException">The bytes are not a model this library can run.</exception>
    public OrtSession(OnnxRuntimeLibrary library, ReadOnlySpan<byte> model, TensorShape[] inputs, TensorShape[] outputs)
    {
        _api = library.Api;
        _session = _api.CreateSession(model);
        _inputs = Array.ConvertAll(inputs, shape => new Tensor(_api, shape));
        _outputs = Array.ConvertAll(outputs, shape => new Tensor(_api, shape));
    }

    /// <summary>Memory of an input, to be filled before <see cref="Run"/>.</summary>
    public float[] Input(int index) => _inputs[index].Data;

    /// <summary>Memory of an output, valid until the next <see cref="Run"/>.</summary>
    public float[] Output(int index) => _outputs[index].Data;

    /// <exception cref="OnnxRuntimeException">A name or shape is not the model's.</exception>
    public void Run()
    {
        nint* names = stackalloc nint[_inputs.Length + _outputs.Length];
        nint* values = stackalloc nint[_inputs.Length + _outputs.Length];
        for (int i = 0; i < _inputs.Length; i++)
        {
            (names[i], values[i]) = ((nint)_inputs[i].Name.Pointer, _inputs[i].Value.DangerousGetHandle());
        }

        nint* outputNames = names + _inputs.Length;
        nint* outputValues = values + _inputs.Length;
        for (int i = 0; i < _outputs.Length; i++)
        {
            (outputNames[i], outputValues[i]) = ((nint)_outputs[i].Name.Pointer, _outputs[i].Value.DangerousGetHandle());
        }

        _api.Run(_session, names, values, (nuint)_inputs.Length, outputNames, (nuint)_outputs.Length, outputValues);
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _inputs.Concat(_outputs))
        {
            tensor.Value.Dispose();
            tensor.Name.Dispose();
        }

        _session.Dispose();
    }

    private sealed class Tensor
    {
        public Tensor(OrtApi api, TensorShape shape)
        {
            long length = shape.Dimensions.Aggregate(1L, static (product, size) => checked(product * size));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, TensorShape.MaximumLength);
            Data = GC.AllocateArray<float>((int)length, pinned: true);
            Value = api.CreateTensor(Data, shape.Dimensions);
            Name = new CString(shape.Name);
        }

        public float[] Data { get; }

        public OrtHandle Value { get; }

        public CString Name { get; }
    }
}

/// <summary>A float32 tensor of a model, by name.</summary>
internal sealed record TensorShape(string Name, params long[] Dimensions)
{
    /// <summary>Largest tensor that is made, in elements (64 MiB).</summary>
    public const long MaximumLength = 1 << 24;
}
